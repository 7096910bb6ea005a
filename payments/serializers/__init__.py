"""What seed 5's API takes (fields, instruments, requests) and shows (answers), as DRF serializers."""
