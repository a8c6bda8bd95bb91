"""Work on very many files shared out among processes: threads would wait for each other, as one at a time runs Python."""
