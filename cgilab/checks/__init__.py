"""Checks of scripts before anybody calls them: by their source, and by a trial in the lab."""
