//! The source that downloads from public mirrors over HTTP and HTTPS.

use std::io::{self, Read};
use std::time::Duration;

use ureq::{Agent, Proxy};

use super::Source;
use super::fault::{DeliveryError, SourceError};
use super::inbox::Inbox;

/// Time limits for a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MirrorLimits {
    /// For resolving the name, and again for connecting.
    pub connect: Duration,
    /// Between two reads of a response.
    pub silence: Duration,
    /// For a whole file.
    pub file: Duration,
}

impl Default for MirrorLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            file: Duration::from_secs(30 * 60),
        }
    }
}

/// A mirror that serves each file of a set as `<address><file name>.gz`.
#[derive(Debug, Clone)]
pub struct HttpMirror {
    address: String,
    limits: MirrorLimits,
    proxy: Option<Proxy>,
}

impl HttpMirror {
    /// The mirror at `address`, which must end with a slash. Uses the proxy set in the environment, if any.
    pub fn new(address: impl Into<String>, limits: MirrorLimits) -> Self {
        Self {
            address: address.into(),
            limits,
            proxy: Proxy::try_from_env(),
        }
    }

    /// The public mirror at `address`, with the usual limits.
    pub fn public(address: &str) -> Self {
        Self::new(address, MirrorLimits::default())
    }

    /// The mirror at `address`, always reached without a proxy.
    pub fn direct(address: impl Into<String>, limits: MirrorLimits) -> Self {
        Self {
            proxy: None,
            ..Self::new(address, limits)
        }
    }

    fn agent(&self) -> Agent {
        Agent::config_builder()
            .user_agent(concat!("noisescope/", env!("CARGO_PKG_VERSION")))
            .proxy(self.proxy.clone())
            .timeout_resolve(Some(self.limits.connect))
            .timeout_connect(Some(self.limits.connect))
            .timeout_per_read(Some(self.limits.silence))
            .timeout_per_call(Some(self.limits.file))
            .build()
            .into()
    }
}

impl Source for HttpMirror {
    fn describe(&self) -> String {
        self.address.clone()
    }

    fn deliver(&self, inbox: &Inbox<'_>) -> Result<(), DeliveryError> {
        let agent = self.agent();
        for file in inbox.wanted() {
            let name = format!("{}.gz", file.name);
            let answer = agent.get(format!("{}{name}", self.address)).call();
            let answer = answer.map_err(|error| SourceError::Refused {
                file: name,
                reason: reason(error, &self.limits),
            })?;
            let body = Body {
                reader: answer.into_body().into_reader(),
                limits: self.limits,
            };
            inbox.accept(file, body)?;
        }
        Ok(())
    }
}

/// A response body with readable error messages.
struct Body<R> {
    reader: R,
    limits: MirrorLimits,
}

impl<R: Read> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| {
            let kind = error.kind();
            io::Error::new(kind, reason(ureq::Error::from(error), &self.limits))
        })
    }
}

/// A readable message for an error.
fn reason(error: ureq::Error, limits: &MirrorLimits) -> String {
    match error {
        ureq::Error::StatusCode(404) => "the server does not have it (404)".to_owned(),
        ureq::Error::StatusCode(status) => format!("the server answered {status}"),
        ureq::Error::HostNotFound => "the server's name was not found".to_owned(),
        ureq::Error::Timeout(ureq::Timeout::PerRead) => format!(
            "the server was silent for {} s",
            limits.silence.as_secs_f32()
        ),
        ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            format!("no connection within {} s", limits.connect.as_secs_f32())
        }
        ureq::Error::Timeout(_) => {
            format!("not done within {} s", limits.file.as_secs_f32())
        }
        ureq::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}
