"""What is true now, in Redis: the current row of every symbol, applied from the captured changes.

Read in this order: ../stream, rows, poll, store (lua/), positions, watermark, rebuild, loop. Beside
the path: metrics."""
