//! Every broker and topic configuration key: name, type, range, default, scope and documentation.
