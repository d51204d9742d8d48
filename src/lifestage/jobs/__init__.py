"""What runs unattended: a configured run, a retraining, its data checks and release notes."""
