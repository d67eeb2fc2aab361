"""`python3 -m local demo|local|setup|venv|clean`, with the system's Python. This
file must parse in an old one, too; the other files of the package need not."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (the system's Python may be older)
    found = sys.version.split()[0]
    sys.exit("Python 3.11 or newer is needed, this is " + found + ": apt-get install python3 python3-venv")

from local.bootstrap import main

sys.exit(main(sys.argv[1:]))
