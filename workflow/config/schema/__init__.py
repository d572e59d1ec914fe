"""Every key of the configuration, section by section, and what its entries say of themselves."""
