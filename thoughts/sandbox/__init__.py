"""Running commands that nobody has read: no network, no files but those named, and limits that hold."""
