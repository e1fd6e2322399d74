//! Keep-alive load: each connection sends the same bytes again and again and reads each reply whole.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Sends `request` `count` times over `connections` connections and panics on anything but a 200 that holds
/// `expected`: a proxy that refuses quickly must not look fast.
pub(crate) async fn drive(
    address: &str,
    request: &[u8],
    connections: u32,
    count: u32,
    expected: &str,
) {
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let (address, request, expected) =
            (address.to_owned(), request.to_vec(), expected.to_owned());
        tasks.spawn(async move {
            let mut stream = TcpStream::connect(&address).await.expect("the proxy accepts");
            stream.set_nodelay(true).expect("nodelay");
            let mut buffer = Vec::with_capacity(8192);
            for _ in 0..count / connections {
                let (mut reader, mut writer) = stream.split();
                // A large body is written while the reply may already come.
                let (sent, ()) =
                    tokio::join!(writer.write_all(&request), reply(&mut reader, &mut buffer));
                sent.expect("the request is taken");
                let text = String::from_utf8_lossy(&buffer);
                assert!(text.starts_with("HTTP/1.1 200"), "{text}");
                assert!(text.contains(&expected), "{text}");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a connection's load");
    }
}

/// Reads one reply, with a `Content-Length` or in chunks.
async fn reply(reader: &mut (impl tokio::io::AsyncRead + Unpin), buffer: &mut Vec<u8>) {
    buffer.clear();
    loop {
        let read = reader.read_buf(buffer).await.expect("a reply");
        assert!(read > 0, "the proxy closed early: {}", String::from_utf8_lossy(buffer));
        let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse::<usize>().ok());
        let is_whole = match length {
            Some(length) => buffer.len() >= head + 4 + length,
            None => buffer.ends_with(b"\r\n0\r\n\r\n"),
        };
        if is_whole {
            return;
        }
    }
}
