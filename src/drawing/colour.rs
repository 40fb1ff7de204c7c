//! Colours of maps and curves as numbers: a diverging ramp from blue through grey to orange. Both sides have the
//! same lightness and chroma at the same distance from zero (in OKLCh), so neither sign looks stronger, and blue
//! and orange stay distinguishable under every common form of colour blindness.

/// The background behind text and maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Background {
    /// Dark, or unknown.
    #[default]
    Dark,
    /// Light.
    Light,
}

/// Red, green and blue.
pub type Rgb = (u8, u8, u8);

/// Hues for values below and above zero, in OKLCh degrees.
pub type Hues = (f64, f64);

/// Blue below zero, orange above.
pub const BLUE_ORANGE: Hues = (248.0, 62.0);
/// Green below zero, purple above.
pub const GREEN_PURPLE: Hues = (150.0, 318.0);

/// The colour of `t` in \[−1,1\]: blue below zero, grey at zero, orange above.
pub fn ramp(t: f64, background: Background) -> Rgb {
    ramp_between(t, background, BLUE_ORANGE)
}

/// The colour of `t` in \[−1,1\] between two hues, grey at zero.
pub fn ramp_between(t: f64, background: Background, hues: Hues) -> Rgb {
    let size = t.abs();
    let (zero, full, most) = match background {
        Background::Dark => (0.33, 0.87, 0.145),
        Background::Light => (0.95, 0.50, 0.125),
    };
    let lightness = zero + (full - zero) * size;
    // Chroma rises quickly, so that even a weak value has a hue, and falls towards the end, where sRGB has none
    // to offer at that lightness.
    let chroma = most
        * (size * std::f64::consts::FRAC_PI_2 * 1.35)
            .sin()
            .max(0.0)
            .powf(0.9);
    let hue = if t > 0.0 { hues.1 } else { hues.0 };
    oklch(lightness, chroma, hue)
}

/// The sRGB value of an OKLCh colour (Ottosson, *A perceptual color space for image processing*, 2020), with its
/// chroma reduced until it is in gamut.
fn oklch(lightness: f64, chroma: f64, hue: f64) -> Rgb {
    let mut chroma = chroma;
    loop {
        let linear = oklab_to_linear(
            lightness,
            chroma * hue.to_radians().cos(),
            chroma * hue.to_radians().sin(),
        );
        let inside = linear.iter().all(|c| (-1e-3..=1.001).contains(c));
        if inside || chroma < 1e-3 {
            let byte = |c: f64| (encode(c.clamp(0.0, 1.0)) * 255.0).round() as u8;
            return (byte(linear[0]), byte(linear[1]), byte(linear[2]));
        }
        chroma *= 0.97;
    }
}

fn oklab_to_linear(l: f64, a: f64, b: f64) -> [f64; 3] {
    let x = (l + 0.3963377774 * a + 0.2158037573 * b).powi(3);
    let y = (l - 0.1055613458 * a - 0.0638541728 * b).powi(3);
    let z = (l - 0.0894841775 * a - 1.2914855480 * b).powi(3);
    [
        4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
        -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
        -0.0041960863 * x - 0.7034186147 * y + 1.7076147010 * z,
    ]
}

fn linear_to_oklab(rgb: [f64; 3]) -> [f64; 3] {
    let [r, g, b] = rgb;
    let x = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
    let y = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
    let z = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
    [
        0.2104542553 * x + 0.7936177850 * y - 0.0040720468 * z,
        1.9779984951 * x - 2.4285922050 * y + 0.4505937099 * z,
        0.0259040371 * x + 0.7827717662 * y - 0.8086757660 * z,
    ]
}

fn encode(linear: f64) -> f64 {
    if linear <= 0.003_130_8 {
        12.92 * linear
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

fn decode(byte: u8) -> f64 {
    let c = f64::from(byte) / 255.0;
    if c <= 0.040_45 {
        c / 12.92
    } else {
        ((c + 0.055) / 1.055).powf(2.4)
    }
}

/// Lightness and the two axes of OKLab.
pub fn oklab((r, g, b): Rgb) -> [f64; 3] {
    linear_to_oklab([decode(r), decode(g), decode(b)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_round_trip_through_oklab() {
        for rgb in [(12, 200, 99), (255, 0, 0), (7, 7, 7)] {
            let [l, a, b] = oklab(rgb);
            let back =
                oklab_to_linear(l, a, b).map(|c| (encode(c.clamp(0.0, 1.0)) * 255.0).round());
            assert_eq!(back, [f64::from(rgb.0), f64::from(rgb.1), f64::from(rgb.2)]);
        }
    }
}
