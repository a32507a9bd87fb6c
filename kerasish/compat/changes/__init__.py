"""Changes of arguments that are no renaming: functions that rows of the tables name."""
