"""HubSpot's public API over the simulator's store, both path families, ugly habits included."""
