"""From labelled sentences to findings: units of text to pair with images."""
