//! A test issuer: keys made at test time, tokens written byte by byte, and a JWKS server on a loopback port that can be made to misbehave.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A signing key and its public half as a JWK.
pub(crate) struct TestKey {
    pair: Pair,
    pub(crate) jwk: Value,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl TestKey {
    pub(crate) fn rsa(kid: &str) -> Self {
        let made = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = made.as_der().unwrap();
        let pair = RsaKeyPair::from_pkcs8(der.as_ref()).unwrap();
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let jwk = json!({"kty": "RSA", "use": "sig", "kid": kid, "n": b64(&public.n), "e": b64(&public.e)});
        Self { pair: Pair::Rsa(pair), jwk }
    }

    pub(crate) fn ec(kid: &str) -> Self {
        Self::on_curve(kid, "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    pub(crate) fn ec384(kid: &str) -> Self {
        Self::on_curve(kid, "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    fn on_curve(
        kid: &str,
        curve: &str,
        algorithm: &'static signature::EcdsaSigningAlgorithm,
    ) -> Self {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(point.len() / 2);
        let jwk =
            json!({"kty": "EC", "crv": curve, "use": "sig", "kid": kid, "x": b64(x), "y": b64(y)});
        Self { pair: Pair::Ec(pair), jwk }
    }

    pub(crate) fn ed(kid: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": kid, "x": b64(pair.public_key())});
        Self { pair: Pair::Ed(pair), jwk }
    }

    /// Signs as `algorithm` would with this key; where they do not belong together, as the key's own does.
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &'static dyn signature::RsaEncoding = match algorithm {
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    "PS512" => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A compact JWS over exactly these two texts.
    pub(crate) fn token(&self, algorithm: &str, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", b64(header), b64(payload));
        let signature = self.sign(algorithm, message.as_bytes());
        format!("{message}.{}", b64(signature))
    }
}

/// base64url without padding.
pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A JWK set of these keys.
pub(crate) fn jwks<'a>(keys: impl IntoIterator<Item = &'a TestKey>) -> String {
    json!({"keys": keys.into_iter().map(|key| key.jwk.clone()).collect::<Vec<_>>()}).to_string()
}

/// How the server answers.
#[derive(Clone, Debug)]
pub(crate) enum Mode {
    /// 200 with this document and these header lines.
    Document(String, &'static str),
    /// This status line's rest, for example `500 Oops`, and header lines, with a short body.
    Status(&'static str, String),
    /// Closes the connection without a word.
    Hangup,
    /// Says nothing until the mode is changed, then answers by the new one.
    Stall,
    /// Sends headers, then a body that grows and never ends.
    Endless,
    /// A body shorter than its length says.
    Truncated(String),
}

/// A server of one document on a loopback port.
pub(crate) struct Idp {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    requests: Arc<AtomicUsize>,
    seen: Arc<Mutex<String>>,
    task: tokio::task::JoinHandle<()>,
}

impl Idp {
    pub(crate) async fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mode = watch::Sender::new(mode);
        let requests = Arc::new(AtomicUsize::new(0));
        let seen = Arc::new(Mutex::new(String::new()));
        let task = {
            let (mode, requests, seen) = (mode.clone(), Arc::clone(&requests), Arc::clone(&seen));
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(answer(
                        stream,
                        mode.subscribe(),
                        Arc::clone(&requests),
                        Arc::clone(&seen),
                    ));
                }
            })
        };
        Self { address, mode, requests, seen, task }
    }

    pub(crate) async fn serving<'a>(keys: impl IntoIterator<Item = &'a TestKey>) -> Self {
        Self::start(Mode::Document(jwks(keys), "")).await
    }

    pub(crate) fn url(&self) -> url::Url {
        format!("http://{}/jwks.json", self.address).parse().unwrap()
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Requests that arrived whole.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// The head of the last request.
    pub(crate) fn seen(&self) -> String {
        self.seen.lock().clone()
    }
}

impl Drop for Idp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    mut stream: TcpStream,
    mut mode: watch::Receiver<Mode>,
    requests: Arc<AtomicUsize>,
    seen: Arc<Mutex<String>>,
) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    requests.fetch_add(1, Ordering::SeqCst);
    *seen.lock() = String::from_utf8_lossy(&head).into_owned();
    let now = mode.wait_for(|mode| !matches!(mode, Mode::Stall)).await.ok()?.clone();
    let reply = match now {
        Mode::Document(body, headers) => {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
        }
        Mode::Status(status, headers) => {
            format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n{headers}\r\n{{}}")
        }
        Mode::Truncated(body) => {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len() + 1)
        }
        Mode::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"keys\":[").await.ok()?;
            loop {
                stream.write_all(&[b' '; 4096]).await.ok()?;
            }
        }
        Mode::Hangup | Mode::Stall => return None,
    };
    stream.write_all(reply.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}
