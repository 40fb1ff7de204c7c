// The CUDA kernel for Gabor noise, compiled after normal.cu. One thread block computes an image from normal numbers
// drawn by `draw_normals`.

// Number of tile sizes, and of filters per tile; a pixel is a sum of SIZES * FILTERS terms.
constexpr u32 SIZES = 3;
constexpr u32 FILTERS = 8;
// Largest number of values in an image that are kept in shared memory until its minimum and maximum are known; for a
// larger image, all values are computed twice.
constexpr u32 KEPT = 4096;

// The filters of an image with `area` pixels, as from `NoiseSource::kernel_constants`, [3,9,area]: for each size and
// pixel, its tile and the bits of 8 floats.
struct Filters {
    const u32* words;
    u32 area;
};

// One value of an image, added in the same order as on the host; `coefficients`: 8 for each tile of its channel.
__device__ float gabor_sum(Filters filters, const float* coefficients, u32 pixel) {
    float lanes[FILTERS] = {};
#pragma unroll
    for (u32 size = 0; size < SIZES; ++size) {
        const u32* part = filters.words + (u64)size * (1 + FILTERS) * filters.area + pixel;
        const float* own = coefficients + (u64)*part * FILTERS;
#pragma unroll
        for (u32 lane = 0; lane < FILTERS; ++lane) {
            part += filters.area;
            lanes[lane] = plus(lanes[lane], times(own[lane], float_of(*part)));
        }
    }
    return plus(
        plus(plus(lanes[0], lanes[4]), plus(lanes[1], lanes[5])),
        plus(plus(lanes[2], lanes[6]), plus(lanes[3], lanes[7])));
}

// An image with all its channels: its coefficients, and their number per channel.
struct Image {
    Filters filters;
    const float* coefficients;
    u32 each;
};

__device__ float gabor_number(Image image, u32 at) {
    const u32 channel = at / image.filters.area, pixel = at % image.filters.area;
    return gabor_sum(image.filters, image.coefficients + (u64)channel * image.each, pixel);
}

// The minimum and maximum found by each thread.
struct Range {
    float least[THREADS], most[THREADS];
};

// Phase: computes the values of an image, [numbers].
__device__ void sum(u32 thread, Image image, u32 numbers, float* kept, Range& range) {
    // Infinities.
    float least = float_of(0x7f800000), most = float_of(0xff800000);
    for (u32 at = thread; at < numbers; at += THREADS) {
        const float value = gabor_number(image, at);
        if (numbers <= KEPT) kept[at] = value;
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    range.least[thread] = least;
    range.most[thread] = most;
}

// Phase: each of the first `half` threads merges in the range of another one.
__device__ void join(u32 thread, u32 half, Range& range) {
    if (thread >= half) return;
    const float least = range.least[thread + half], most = range.most[thread + half];
    if (least < range.least[thread]) range.least[thread] = least;
    if (most > range.most[thread]) range.most[thread] = most;
}

// Phase: writes the points of an image, its range stretched to that of the grid. A uniform image becomes all 0.
__device__ void stretch(u32 thread, Image image, u32 numbers, const float* kept, const Range& range, i16* own) {
    const float least = range.least[0], most = range.most[0];
    const float scale = most > least ? over(65536.0f, plus(most, -least)) : 0.0f;
    for (u32 at = thread; at < numbers; at += THREADS) {
        const float value = numbers <= KEPT ? kept[at] : gabor_number(image, at);
        own[at] = centred(saturated(times(plus(value, -least), scale)));
    }
}

// Gabor noise, [B*T,channels*area], from normals, [B*T,channels,each], 8 for each of the each/8 tiles. Grid: B * T.
extern "C" __global__ void draw_gabor(
    const u32* filters, const float* normals, u32 channels, u32 area, u32 each, i16* points) {
    __shared__ float kept[KEPT];
    __shared__ Range range;
    const u32 numbers = channels * area;
    const Image image = {{filters, area}, normals + (u64)blockIdx.x * channels * each, each};
    PHASE(sum(thread, image, numbers, kept, range));
    for (u32 half = THREADS / 2; half > 0; half /= 2) PHASE(join(thread, half, range));
    PHASE(stretch(thread, image, numbers, kept, range, points + (u64)blockIdx.x * numbers));
}
