"""Explain what a transformer decided about a text, in a terminal or in a browser.

explain text "The film isn't good." --model sentiment --format table
"""

import sys

from explain.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
