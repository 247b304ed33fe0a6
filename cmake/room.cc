// Gives a room that has no source file of its own yet something to archive.
