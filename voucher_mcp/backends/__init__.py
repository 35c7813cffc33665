"""The systems that hold vouchers, behind one adapter interface."""
