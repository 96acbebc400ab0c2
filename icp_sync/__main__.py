"""`icp-sync` and `python -m icp_sync`."""

from __future__ import annotations


def main() -> None:
    """Run the command line; never returns."""
    from icp_sync.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
