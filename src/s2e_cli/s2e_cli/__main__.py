"""`python -m s2e_cli`, the same as `s2e`."""

import sys

from s2e_cli.main import main

sys.exit(main())
