"""The log folder: appending to it, publishing heads, opening leaves, deleting what is kept no longer."""
