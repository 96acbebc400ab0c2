"""Tests mirror the package. Shared suites and drivers explain a failed assertion as test files do."""

import pytest

pytest.register_assert_rewrite("tests.crm.contract", "tests.sync.world", "tests.domain.cases")
