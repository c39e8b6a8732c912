"""What it costs, beside others."""
