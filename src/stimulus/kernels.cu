// CUDA kernels that draw a launch's noise and make its stimuli, bit-identical to the host (see `Source::draw` and
// `blend`), so that a run may change its device after any block of trials.
//
// NVRTC compiles this source at run time, followed by normal.cu, gabor.cu and pca.cu in kernels; there is no header.
// With NOISESCOPE_HOST defined it is plain C++17 that computes thread blocks one after another: this is how the
// tests run every kernel without a card. So a kernel is a sequence of phases, each of which all threads of a thread
// block complete before the next begins, and data passes from phase to phase in shared memory.
//
// A launch is B blocks of T trials with p points each, shown as T images of P values. `heads` describes each block
// of trials, [B,12]: the 8 words of its key, the lower and the upper half of the position of its first word (as
// from `get_word_pos`: anywhere in a ChaCha block), the bits of two floats: the weights of noise and image.
// Points are centred, k - 32768 for k in 0..=65535, so that they fit into signed 16 bits. Thread blocks have
// THREADS threads in one dimension, and grids are one-dimensional too, with fewer than 2^31 thread blocks; apart
// from these only T, p and P must fit into 32 bits.
//
// Compile with --fmad=false and without fast math. Even so, sums and products are written as separately rounded
// operations, and those of PCA noise as fused ones.

typedef unsigned char u8;
typedef short i16;
typedef int i32;
typedef unsigned int u32;
typedef unsigned long long u64;

// Threads per thread block, each of which computes one ChaCha block of a stretch of words.
constexpr u32 THREADS = 128;

#ifdef NOISESCOPE_HOST
#define __global__
#define __device__ static inline
#define __shared__ static
struct Place {
    u32 x;
};
static Place blockIdx;
// Whether to run the threads of a phase in reverse order, which must not matter.
static bool backwards;
#define PHASE(...)                                                    \
    for (u32 turn = 0; turn < THREADS; ++turn) {                      \
        const u32 thread = backwards ? THREADS - 1 - turn : turn;     \
        (void)thread;                                                 \
        __VA_ARGS__;                                                  \
    }
__device__ double times(double a, double b) { return a * b; }
__device__ double plus(double a, double b) { return a + b; }
__device__ float times(float a, float b) { return a * b; }
__device__ float plus(float a, float b) { return a + b; }
__device__ float over(float a, float b) { return a / b; }
// a*b + c, rounded once.
__device__ float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
__device__ double exp_of(double x) { return __builtin_exp(x); }
__device__ double log_of(double x) { return __builtin_log(x); }
__device__ double double_of(u64 bits) {
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}
__device__ float float_of(u32 bits) {
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}
__device__ u32 ones(u32 mask) { return __builtin_popcount(mask); }
__device__ u32 lowest(u32 mask) { return __builtin_ctz(mask); }
#else
#define PHASE(...)                        \
    {                                     \
        const u32 thread = threadIdx.x;   \
        (void)thread;                     \
        __VA_ARGS__;                      \
        __syncthreads();                  \
    }
__device__ inline double times(double a, double b) { return __dmul_rn(a, b); }
__device__ inline double plus(double a, double b) { return __dadd_rn(a, b); }
__device__ inline float times(float a, float b) { return __fmul_rn(a, b); }
__device__ inline float plus(float a, float b) { return __fadd_rn(a, b); }
__device__ inline float over(float a, float b) { return __fdiv_rn(a, b); }
__device__ inline float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
__device__ inline double exp_of(double x) { return exp(x); }
__device__ inline double log_of(double x) { return log(x); }
__device__ inline double double_of(u64 bits) { return __longlong_as_double((long long)bits); }
__device__ inline float float_of(u32 bits) { return __uint_as_float(bits); }
__device__ inline u32 ones(u32 mask) { return __popc(mask); }
__device__ inline u32 lowest(u32 mask) { return __ffs(mask) - 1; }
#endif

// ---- Words: ChaCha8 with a 64-bit counter, stream 0

constexpr u32 HEAD = 12;
// Words per ChaCha block.
constexpr u32 BLOCK = 16;
// Words computed by a thread block at once: a stretch.
constexpr u32 WORDS = THREADS * BLOCK;
// Their size in shared memory: one word in 17 is left free to avoid bank conflicts, both of threads that write a
// ChaCha block each and of threads that read one word each.
constexpr u32 ROOM = THREADS * (BLOCK + 1);

__device__ u64 position(const u32* head) { return head[8] | (u64)head[9] << 32; }

// A word of a stretch, 0..WORDS.
__device__ u32 word_of(const u32* words, u32 at) { return words[at + at / BLOCK]; }

__device__ u32 start(const u32* head, u64 counter, u32 word) {
    switch (word) {
    case 0: return 0x61707865; // "expand 32-byte k"
    case 1: return 0x3320646e;
    case 2: return 0x79622d32;
    case 3: return 0x6b206574;
    case 12: return (u32)counter;
    case 13: return (u32)(counter >> 32);
    case 14:
    case 15: return 0;
    default: return head[word - 4];
    }
}

__device__ u32 rotate(u32 x, u32 by) { return x << by | x >> (32 - by); }

__device__ void quarter(u32& a, u32& b, u32& c, u32& d) {
    a += b, d = rotate(d ^ a, 16);
    c += d, b = rotate(b ^ c, 12);
    a += b, d = rotate(d ^ a, 8);
    c += d, b = rotate(b ^ c, 7);
}

// Phase: computes the thread's ChaCha block of the stretch that begins with ChaCha block `first` of a key.
__device__ void generate(u32 thread, const u32* head, u64 first, u32* words) {
    const u64 counter = first + thread;
    u32 s[BLOCK];
#pragma unroll
    for (u32 i = 0; i < BLOCK; ++i) s[i] = start(head, counter, i);
    for (u32 pair = 0; pair < 4; ++pair) {
        quarter(s[0], s[4], s[8], s[12]);
        quarter(s[1], s[5], s[9], s[13]);
        quarter(s[2], s[6], s[10], s[14]);
        quarter(s[3], s[7], s[11], s[15]);
        quarter(s[0], s[5], s[10], s[15]);
        quarter(s[1], s[6], s[11], s[12]);
        quarter(s[2], s[7], s[8], s[13]);
        quarter(s[3], s[4], s[9], s[14]);
    }
#pragma unroll
    for (u32 i = 0; i < BLOCK; ++i) words[thread * (BLOCK + 1) + i] = s[i] + start(head, counter, i);
}

// ---- Points

__device__ i16 centred(u32 point) { return (i16)((i32)point - 32768); }

// A float as a 16-bit number, rounded down and clipped; NaN becomes 0.
__device__ u32 saturated(float value) { return value >= 65535.0f ? 65535 : value > 0.0f ? (u32)value : 0; }

// ---- Points that use a fixed number of bits: uniform and binary

struct alignas(4) Pair {
    i16 low, high;
};

// Phase: writes the points of a stretch, EACH per word, lower bits first. `skipped` words of the noise's first
// ChaCha block come before the noise; `first` is the stretch's first word, counted from that ChaCha block. Points
// are written to `own`, [count]; neighbouring threads write neighbouring pairs.
template <u32 EACH>
__device__ void spread(u32 thread, const u32* words, u64 first, u32 skipped, u64 count, i16* own) {
    constexpr u32 BITS = 32 / EACH, MASK = 0xffffffffu >> (32 - BITS), PAIRS = EACH / 2;
    const bool aligned = (u64)own % sizeof(Pair) == 0;
    for (u32 i = thread; i < WORDS * PAIRS; i += THREADS) {
        const u32 word = i / PAIRS, within = 2 * (i % PAIRS);
        if (first + word < skipped) continue;
        const u64 point = (first + word - skipped) * EACH + within;
        if (point >= count) break;
        const u32 bits = word_of(words, word) >> within * BITS;
        const Pair pair = {centred(bits & MASK), centred(bits >> BITS & MASK)};
        if (aligned && point + 1 < count) {
            *(Pair*)(own + point) = pair;
        } else {
            own[point] = pair.low;
            if (point + 1 < count) own[point + 1] = pair.high;
        }
    }
}

template <u32 EACH>
__device__ void draw_words(const u32* heads, u64 count, u32 stretches, i16* points) {
    __shared__ u32 words[ROOM];
    const u32 block = blockIdx.x / stretches, stretch = blockIdx.x % stretches;
    const u32* head = heads + (u64)block * HEAD;
    const u64 at = position(head);
    PHASE(generate(thread, head, at / BLOCK + (u64)stretch * THREADS, words));
    PHASE(spread<EACH>(thread, words, (u64)stretch * WORDS, at % BLOCK, count, points + block * count));
}

// Uniform noise, `count` = T*p points of each block of trials, [B,count].
// Grid: B * stretches, stretches = ceil((ceil(count / 2) + 15) / 2048).
extern "C" __global__ void draw_uniform(const u32* heads, u64 count, u32 stretches, i16* points) {
    draw_words<2>(heads, count, stretches, points);
}

// Binary noise, one bit per point. Grid: B * stretches, stretches = ceil((ceil(count / 32) + 15) / 2048).
extern "C" __global__ void draw_binary(const u32* heads, u64 count, u32 stretches, i16* points) {
    draw_words<32>(heads, count, stretches, points);
}

// ---- Patches, whose positions the host draws

// Rows and columns of a patch.
constexpr u32 PATCH = 4;

// Phase: writes one channel of an image with `columns` columns: black, with a white patch that begins at `place`.
__device__ void square(u32 thread, u32 place, u32 area, u32 columns, i16* own) {
    for (u32 at = thread; at < area; at += THREADS) {
        // Above and to the left of the patch these wrap around to large numbers.
        const u32 down = at / columns - place / columns, across = at % columns - place % columns;
        own[at] = centred(down < PATCH && across < PATCH);
    }
}

// Noise with one white patch per image and channel, [B*T*channels,area]; `places`, [B*T*channels]: the pixel of
// its channel at which each patch begins. Grid: B * T * channels.
extern "C" __global__ void draw_patch(const u32* places, u32 area, u32 columns, i16* points) {
    PHASE(square(thread, places[blockIdx.x], area, columns, points + (u64)blockIdx.x * area));
}

// ---- Stimuli

// Stimulus values computed per thread.
constexpr u32 SHOWN = 4;

// Phase: computes a slice of one stimulus.
__device__ void show_slice(
    u32 thread, u32 slice, const u32* head, const i16* points, const i32* cells, const u8* image, u32 numbers,
    float step, float offset, float* stimulus) {
    const float noise_share = float_of(head[10]), image_share = float_of(head[11]);
    for (u32 i = 0; i < SHOWN; ++i) {
        const u64 at = (u64)slice * (SHOWN * THREADS) + i * THREADS + thread;
        if (at >= numbers) break;
        const float point = (float)(points[cells ? (u64)cells[at] : at] + 32768);
        float value = plus(times(point, step), offset);
        // Without an image the value is not multiplied.
        if (image_share != 0.0f) value = plus(times(noise_share, value), times(image_share, (float)image[at]));
        stimulus[at] = value;
    }
}

// Stimuli, [B*T,P], from points, [B*T,p]. `cells`, [P]: the point that each value shows, null if they correspond one
// to one. `bytes`, [images,P], and `image`, [B*T], the index there, may be null if the image weight of every block is
// 0. Grid: B * T * slices, slices = ceil(P / 512).
extern "C" __global__ void show(
    const i16* points, const u32* heads, const i32* cells, const u8* bytes, const i32* image, u32 trials, u32 width,
    u32 numbers, u32 slices, float step, float offset, float* stimuli) {
    const u32 trial = blockIdx.x / slices, slice = blockIdx.x % slices;
    const u8* own = image ? bytes + (u64)image[trial] * numbers : nullptr;
    PHASE(show_slice(thread, slice, heads + (u64)(trial / trials) * HEAD, points + (u64)trial * width, cells, own,
        numbers, step, offset, stimuli + (u64)trial * numbers));
}
