"""HTTP: what subscribers, partners' programs and mail providers touch."""
