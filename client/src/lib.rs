//! A thin admin client over the protocol, shared by the operator and the tools.
