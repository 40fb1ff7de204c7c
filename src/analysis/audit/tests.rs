//! Audits of networks whose backdoors are known.
