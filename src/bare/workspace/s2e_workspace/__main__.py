"""Entry point of `python3 -m s2e_workspace`; says clearly when the Python is too old to go on."""

import sys

if sys.version_info < (3, 8):  # the modules below use newer syntax
    sys.exit(
        's2e: error: this needs Python 3.10 to 3.13, but %s is Python %s; '
        'try: make PYTHON=python3.12' % (sys.executable, sys.version.split()[0])
    )

from s2e_workspace.cli import main

sys.exit(main())
