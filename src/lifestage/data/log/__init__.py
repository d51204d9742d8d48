"""From raw order lines to checked purchases."""
