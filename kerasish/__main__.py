"""`python -m kerasish script.py`."""

from .compat import main

if __name__ == "__main__":
    main()
