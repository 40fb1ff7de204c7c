// The CUDA kernel for PCA noise, compiled after gabor.cu. One thread block draws several trials, so that the components
// are read from memory once for all of them.

// Largest number of components, as in pca.rs.
constexpr u32 COMPONENTS = 250;
// Trials per thread block.
constexpr u32 TOGETHER = 8;
static_assert(BLOCK - 1 + TOGETHER * COMPONENTS <= WORDS, "a thread block computes all words that its trials need");

// Principal components of images with `pixels` values: the lower end and the width of the range of each coefficient,
// [count] each; the mean image, [pixels]; the components, [count,pixels].
struct Basis {
    const float *low, *width, *mean, *components;
    u32 count, pixels;
};

// The coefficients of one component, for all trials of a thread block.
struct alignas(16) Weights {
    float of[TOGETHER];
};

// In [0,1), from the upper 24 bits.
__device__ float unit_float(u32 bits) { return times((float)(bits >> 8), 0x1p-24f); }

// Phase: computes the coefficients of the thread block's trials from one word each, beginning with word `skipped` of
// the stretch.
__device__ void weigh(u32 thread, const u32* words, u32 skipped, Basis basis, u32 trials, Weights* weights) {
    for (u32 i = thread; i < TOGETHER * basis.count; i += THREADS) {
        const u32 trial = i / basis.count, k = i % basis.count;
        const float part = times(basis.width[k], unit_float(word_of(words, skipped + i)));
        weights[k].of[trial] = trial < trials ? plus(basis.low[k], part) : 0.0f;
    }
}

// Phase: writes the points of the thread block's trials, [trials,pixels]. Every value is one chain of fused
// multiply-adds over the components, as on the host.
__device__ void combine(u32 thread, Basis basis, const Weights* weights, u32 trials, i16* own) {
    for (u32 pixel = thread; pixel < basis.pixels; pixel += THREADS) {
        float sums[TOGETHER] = {};
        const float* component = basis.components + pixel;
        for (u32 k = 0; k < basis.count; ++k, component += basis.pixels) {
            const float value = *component;
            const Weights weight = weights[k];
#pragma unroll
            for (u32 trial = 0; trial < TOGETHER; ++trial) sums[trial] = fused(value, weight.of[trial], sums[trial]);
        }
#pragma unroll
        for (u32 trial = 0; trial < TOGETHER; ++trial) {
            if (trial >= trials) continue;
            const float value = times(plus(sums[trial], basis.mean[pixel]), 65536.0f);
            own[(u64)trial * basis.pixels + pixel] = centred(saturated(value));
        }
    }
}

// PCA noise, [B*T,pixels]; `constants` as from `NoiseSource::kernel_constants`, [2*count + pixels + count*pixels].
// Grid: B * groups, groups = ceil(T / 8).
extern "C" __global__ void draw_pca(
    const u32* heads, const float* constants, u32 count, u32 pixels, u32 trials, u32 groups, i16* points) {
    __shared__ u32 words[ROOM];
    __shared__ Weights weights[COMPONENTS];
    const float* mean = constants + 2 * count;
    const Basis basis = {constants, constants + count, mean, mean + pixels, count, pixels};
    const u32 block = blockIdx.x / groups, first = blockIdx.x % groups * TOGETHER;
    const u32 left = trials - first, drawn = left < TOGETHER ? left : TOGETHER;
    const u32* head = heads + (u64)block * HEAD;
    const u64 at = position(head) + (u64)first * count;
    PHASE(generate(thread, head, at / BLOCK, words));
    PHASE(weigh(thread, words, at % BLOCK, basis, drawn, weights));
    PHASE(combine(thread, basis, weights, drawn, points + ((u64)block * trials + first) * pixels));
}
