"""The release of Debian that the labs of the tests are made of: that of the setting DEBIAN."""

from cgilab import release
from cgilab.project.engine import ROOT

DEBIAN = release.asked(release.settings_of(ROOT))

PYTHON = release.PYTHON[DEBIAN]
"""The version of the labs' Python."""
