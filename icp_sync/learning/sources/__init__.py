"""Cases from a CRM and its journal, or from exports, whatever their columns are called."""
