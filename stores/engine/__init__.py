"""Databases of ours, whatever their tables: opening, locks, migrations, copies."""
