"""Background work: leased rows; prepare, back up, plan, apply, report; notifications."""
