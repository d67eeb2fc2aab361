"""What `points` leaves of a range: rows merged per time bucket, or the last row of each."""
