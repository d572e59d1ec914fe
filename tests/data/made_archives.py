"""Archives of made-up members."""

import io
import tarfile


def tgz(path, members, **kind):
    """Write members (name -> bytes) as an archive; kind: fields of every entry, such as type."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for field, value in kind.items():
                setattr(entry, field, value)
            tar.addfile(entry, io.BytesIO(content))
    return path
