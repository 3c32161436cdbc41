"""Making a claim: what it commits to, its bundle, and the answers to an audit."""
