//! The built-in kinds as graphs against their own modules.

use super::*;
use crate::nets::{Network, Ports};
use crate::session::config::NetworkKind;
use crate::session::record::Weights;

/// Grey squares of ten classes, and colour images that are no squares, of seven.
const PORTS: [Ports; 2] = [
    Ports {
        image: [1, 28, 28],
        classes: 10,
    },
    Ports {
        image: [3, 19, 26],
        classes: 7,
    },
];

/// Every kind for each of these, as a module and as a graph. Normalizations do something.
fn networks(device: &Device) -> Vec<(Network, Graph)> {
    let pairs = NetworkKind::ALL.into_iter();
    let pairs = pairs.flat_map(|kind| PORTS.map(|ports| (kind, ports)));
    pairs
        .map(|(kind, ports)| {
            let drawn = Network::new(kind, ports, 3, device).weights();
            let tensors = drawn.tensors.into_iter().map(|(name, values)| {
                let values = match name.starts_with("norm") {
                    true => {
                        let size = array(values.shape(), 9);
                        let size = size.values().iter().map(|x| x.abs() + 0.2);
                        Array::new(values.shape(), size.collect())
                    }
                    false => values,
                };
                (name, values)
            });
            let weights = Weights {
                tensors: tensors.collect(),
            };
            let network = Network::with_weights(kind, ports, &weights, device).unwrap();
            let graph = Graph::of_kind(kind, ports, &weights).unwrap();
            (network, graph)
        })
        .collect()
}

fn assert_close(found: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (a, b) in found.iter().zip(wanted) {
        assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{what}: {a} {b}");
    }
}

fn noise(n: usize, image: Shape, device: &Device) -> Tensor<4> {
    images(n, image, 7, device) * 0.5 + 0.5
}

#[test]
fn logits_are_those_of_the_module() {
    let device = Device::flex();
    for (network, graph) in networks(&device) {
        let kind = network.kind();
        let images = noise(4, graph.image(), &device);
        let wanted = host(network.forward(images.clone()));
        let slow = host(graph.load(&device).forward(images.clone()));
        assert_close(&slow, &wanted, kind.label());
        let fast = host(graph.fast().unwrap().graph.load(&device).forward(images));
        assert_eq!(fast, wanted, "{kind:?}, to the bit");
    }
}

#[test]
fn sites_are_the_layers_of_the_module() {
    let device = Device::flex();
    for (network, graph) in networks(&device) {
        let kind = network.kind();
        let images = noise(2, graph.image(), &device);
        let sites = graph.sites();
        let layers = network.geometry();
        let names = |layer: &crate::nets::layers::Geometry| layer.name;
        let found: Vec<&str> = sites.iter().map(|site| site.name.as_str()).collect();
        let wanted: Vec<&str> = layers.iter().map(names).collect();
        assert_eq!(found, wanted, "{kind:?}");
        for (site, layer) in sites.iter().zip(&layers) {
            let what = format!("{kind:?} {}", site.name);
            assert_eq!(site.units, layer.units, "{what}");
            assert_eq!(site.field_size(), layer.field, "{what}");
            assert_eq!(site.positions, layer.positions, "{what}");
            assert_eq!(site.signed, layer.signed, "{what}");
            assert_eq!(site.is_whole(), layer.is_whole(), "{what}");
            let places = site.inner().into_iter();
            let places: Vec<_> = places
                .map(|it| (it.row, it.column, it.top, it.left))
                .collect();
            assert_eq!(places, layer.inner(), "{what}");
        }
        let found = graph.load(&device).activations(images.clone(), &sites);
        let wanted = network.activations(images);
        for ((site, found), wanted) in sites.iter().zip(found).zip(wanted) {
            assert_eq!(found.dims(), wanted.dims());
            let what = format!("{kind:?} {}", site.name);
            assert_close(&host(found), &host(wanted), &what);
        }
    }
}

#[test]
fn pushes_are_those_of_the_module() {
    let device = Device::flex();
    for (network, graph) in networks(&device) {
        let kind = network.kind();
        let images = noise(2, graph.image(), &device);
        let loaded = graph.load(&device);
        for site in graph.sites() {
            let delta = numbers(site.units, 8);
            let pushed = loaded.pushed_at(&site, &delta).unwrap();
            let found = host(pushed.forward(images.clone()));
            // An LSTM's module has no one bias; its state is pushed here.
            match network.pushed(&site.name, &delta) {
                Ok(wanted) => {
                    let wanted = host(wanted.forward(images.clone()));
                    assert_close(&found, &wanted, &format!("{kind:?} {}", site.name));
                }
                Err(_) => assert_ne!(found, host(loaded.forward(images.clone()))),
            }
        }
    }
}

#[test]
fn patches_are_those_of_the_module() {
    let device = Device::flex();
    for (network, graph) in networks(&device) {
        let loaded = graph.load(&device);
        for (layer, site) in graph.sites().iter().enumerate() {
            let patches = noise(2, site.field_shape(), &device);
            let found = host(loaded.patch_activations(site, patches.clone()));
            let wanted = host(network.patch_activations(layer, patches));
            let what = format!("{:?} {}", network.kind(), site.name);
            assert_close(&found, &wanted, &what);
        }
    }
}

#[test]
fn kernels_of_first_layers_are_those_of_the_module() {
    let device = Device::flex();
    for (network, graph) in networks(&device) {
        let kind = network.kind();
        let loaded = graph.load(&device);
        let sites = graph.sites();
        match network.kernel(0) {
            Some(wanted) => {
                let found = loaded.kernel(&sites[0]).unwrap();
                assert_close(&found, &wanted, kind.label());
            }
            None => assert_eq!(loaded.kernel(&sites[0]), None, "{kind:?}"),
        }
        // Rectifiers or poolings stand before the logits of all but one.
        let last = loaded.kernel(sites.last().unwrap());
        assert_eq!(last.is_some(), kind == NetworkKind::Logistic, "{kind:?}");
    }
}

#[test]
fn a_faster_graph_is_pushed_where_its_nodes_are_kept() {
    let device = Device::flex();
    for (network, graph) in networks(&device) {
        let kind = network.kind();
        let images = noise(2, graph.image(), &device);
        let fast = graph.fast().unwrap();
        for site in graph.sites() {
            let (node, axis) = site.push.unwrap();
            let Some(kept) = fast.kept[node.0] else {
                // Its normalization has been folded into it.
                assert_eq!((kind, site.name.as_str()), (NetworkKind::Complex, "conv1"));
                continue;
            };
            let delta = numbers(site.units, 8);
            let loaded = fast.graph.load(&device).pushed(kept, axis, &delta).unwrap();
            let found = host(loaded.forward(images.clone()));
            let loaded = graph.load(&device).pushed_at(&site, &delta).unwrap();
            let wanted = host(loaded.forward(images.clone()));
            assert_close(&found, &wanted, &format!("{kind:?} {}", site.name));
        }
    }
}

#[test]
fn a_kind_without_a_weight_or_too_small_says_so() {
    let ports = PORTS[0];
    let device = Device::flex();
    let mut weights = Network::new(NetworkKind::Cnn, ports, 3, &device).weights();
    let small = Ports {
        image: [1, 8, 8],
        ..ports
    };
    let error = Graph::of_kind(NetworkKind::Cnn, small, &weights).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Conv at `conv2`: its windows are 5 long, which is more than 2 and 0 around"
    );
    weights.tensors.remove(0);
    let error = Graph::of_kind(NetworkKind::Cnn, ports, &weights).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`conv1` needs the weight `conv1.weight`, which is not there"
    );
}
