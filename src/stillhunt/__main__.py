"""``python -m stillhunt``."""

from stillhunt.cli.app import main

if __name__ == "__main__":
    main()
