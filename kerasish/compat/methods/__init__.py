"""Methods and attributes of earlier releases, by the kind of object."""
