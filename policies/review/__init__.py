"""What people decide about proposals: the queue, the review in the terminal, the review page."""
