"""`s2e replay`: what a policy would have done in a recording, as a film, a page and numbers."""
