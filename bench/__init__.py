"""What this costs, measured beside others in the same run."""
