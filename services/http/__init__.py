"""What every route needs: keys, limits, errors, events."""
