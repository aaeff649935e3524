//! Memory engines and scenarios that check the shipped protocol.
