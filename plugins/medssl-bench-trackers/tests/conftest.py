"""Runs a tiny suite that is followed."""

import pytest
from followed_suite import Follow, follower


@pytest.fixture(scope="session")
def follow(tmp_path_factory: pytest.TempPathFactory) -> Follow:
    """Run the suite; data and pictures of views are made once."""
    return follower(tmp_path_factory.mktemp("suite"))
