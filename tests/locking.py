"""Folders that may not be read, also where the tests run as root, who may read all."""

import os


def lock(monkeypatch, *names):
    """Makes the system refuse to list folders of these names."""
    scandir = os.scandir

    def refuse(path="."):
        # shutil.rmtree lists folders by their numbers.
        if not isinstance(path, int) and os.path.basename(os.fspath(path)) in names:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
