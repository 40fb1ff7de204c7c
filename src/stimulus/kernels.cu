// The noise of a launch and how it is shown, computed where it is needed: bit for bit what the host draws (see
// `Source::draw` and `blend`), so that a run may change its device at any block of trials.
//
// NVRTC compiles this text at run time, followed by kernels/gabor.cu; it has no header. With NOISESCOPE_HOST defined it is plain C++17, whose
// thread blocks are computed one after the other: that is how the tests run every kernel without a card. So a
// kernel is a row of phases, each of which all threads of a thread block have done before the next begins, and
// what is handed on from phase to phase lies in shared memory.
//
// A launch is B blocks of T trials of p points, shown as T images of P numbers. `heads` tells of each block of
// trials, [B,12]: the 8 words of its key, the lower and the upper half of the position of its first word (as
// `get_word_pos` gives it: anywhere in a ChaCha block), the bits of two floats: the shares of noise and image.
// Points are centred, k - 32768 for k in 0..=65535, so that they fit into 16 bits with a sign. All thread blocks
// have THREADS threads in one dimension, and grids have one dimension too, of fewer than 2^31 thread blocks; nothing
// else is limited to what 32 bits hold but T, p and P.
//
// Compile with --fmad=false and without fast math. Sums and products are rounded one by one all the same.

typedef unsigned char u8;
typedef short i16;
typedef int i32;
typedef unsigned int u32;
typedef unsigned long long u64;

// Threads of a thread block, each of which computes one ChaCha block of a stretch of words.
constexpr u32 THREADS = 128;

#ifdef NOISESCOPE_HOST
#define __global__
#define __device__ static inline
#define __shared__ static
struct Place {
    u32 x;
};
static Place blockIdx;
// Whether the threads of a phase take turns the other way round, which must not matter.
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
__device__ inline double exp_of(double x) { return exp(x); }
__device__ inline double log_of(double x) { return log(x); }
__device__ inline double double_of(u64 bits) { return __longlong_as_double((long long)bits); }
__device__ inline float float_of(u32 bits) { return __uint_as_float(bits); }
__device__ inline u32 ones(u32 mask) { return __popc(mask); }
__device__ inline u32 lowest(u32 mask) { return __ffs(mask) - 1; }
#endif

// ---- Words: ChaCha8 with a 64-bit counter, stream 0

constexpr u32 HEAD = 12;
// Words of a ChaCha block.
constexpr u32 BLOCK = 16;
// Words that a thread block computes at once.
constexpr u32 WORDS = THREADS * BLOCK;
// Where they lie in shared memory: one place in 17 is left free, so that neither the threads that write a ChaCha
// block each nor those that read one word each wait for one another.
constexpr u32 ROOM = THREADS * (BLOCK + 1);

__device__ u64 position(const u32* head) { return head[8] | (u64)head[9] << 32; }

// A word of the stretch, 0..WORDS.
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

// Phase: the thread's ChaCha block of the stretch that begins with ChaCha block `first` of a key.
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

// ---- Points whose words are counted: uniform and binary

struct alignas(4) Pair {
    i16 low, high;
};

__device__ i16 centred(u32 point) { return (i16)((i32)point - 32768); }

// Phase: the points of a stretch, EACH of every word, lower bits first. `skipped` words of the noise's first
// ChaCha block come before the noise; `first` is the stretch's first word, counted from that ChaCha block. Points
// go to `own`, [count]; neighbouring threads write neighbouring pairs.
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

// Noise of 0 and 1, one bit each. Grid: B * stretches, stretches = ceil((ceil(count / 32) + 15) / 2048).
extern "C" __global__ void draw_binary(const u32* heads, u64 count, u32 stretches, i16* points) {
    draw_words<32>(heads, count, stretches, points);
}

// ---- Patches, whose places the host draws

// Rows and columns of a patch.
constexpr u32 PATCH = 4;

// Phase: one channel of an image of so many columns, white from a pixel on.
__device__ void square(u32 thread, u32 place, u32 area, u32 columns, i16* own) {
    for (u32 at = thread; at < area; at += THREADS) {
        // Above and to the left of the patch they wrap around.
        const u32 down = at / columns - place / columns, across = at % columns - place % columns;
        own[at] = centred(down < PATCH && across < PATCH);
    }
}

// Noise of one white patch an image and channel, [B*T*channels,area]; `places`, [B*T*channels]: the pixel of its
// channel at which each patch begins. Grid: B * T * channels.
extern "C" __global__ void draw_patch(const u32* places, u32 area, u32 columns, i16* points) {
    PHASE(square(thread, places[blockIdx.x], area, columns, points + (u64)blockIdx.x * area));
}

// ---- Normal numbers, and Gaussian points: a ziggurat, in which the words that a normal takes vary

// The words of a block of trials, 64 bits each, are cut into chunks; a thread block computes one, and SPARE words
// beyond it, since the last normal that begins in a chunk may end in the next.
//
// Most normals take one word, one in 67 takes two or more; more than SPARE, less than one in 10^30. Such a one is
// not drawn here: `failed` is then set, and the points of the launch are not to be used.
constexpr u32 CHUNK = 960;
constexpr u32 SPARE = 56;
constexpr u32 MASKS = CHUNK / 32;
static_assert(BLOCK - 1 + 2 * (CHUNK + SPARE) <= WORDS, "a thread block computes all words that a chunk needs");
static_assert(CHUNK % 32 == 0 && MASKS <= THREADS && SPARE <= THREADS, "a thread has one of each at most");

// What a thread block knows of its chunk.
struct Chunk {
    u32 words[ROOM];
    // Words of 32 bits before the chunk's first one.
    u32 skipped;
    // How many words a normal takes if one begins at a word; SPARE + 1 where more than SPARE.
    u8 length[CHUNK];
    // The words where that is more than one, `odd` ones; one bit each.
    u32 odd[MASKS];
    // The words at which a normal does begin, one bit each, and how many begin before each 32 of them.
    u32 begins[MASKS];
    u32 before[MASKS];
};

// Right edges of the 256 layers and the density there, [257] each, as `rand_distr` has them.
struct Ziggurat {
    const double* edges;
    const double* density;
};

__device__ u64 word64_of(const Chunk& chunk, u32 at) {
    const u32 word = chunk.skipped + 2 * at;
    return word_of(chunk.words, word) | (u64)word_of(chunk.words, word + 1) << 32;
}

// In [-1,1), of the upper 52 bits.
__device__ double symmetric(u64 bits) { return plus(double_of(bits >> 12 | 0x4000000000000000), -3.0); }
// In [0,1), of the upper 53 bits.
__device__ double unit(u64 bits) { return times((double)(bits >> 11), 0x1p-53); }
// In (0,1), of the upper 52 bits.
__device__ double open_unit(u64 bits) {
    return plus(double_of(bits >> 12 | 0x3ff0000000000000), -(1.0 - 0x1p-53));
}

struct Normal {
    double value;
    u32 length;
};

// The normal number that begins at a word, 0..CHUNK: its value and how many words it takes; SPARE + 1 and no value
// where these are more than SPARE.
//
// Only here a processor's exp and log are used, and a card's may differ from them in the last bit. In a wedge (one
// normal in 68) that changes what is accepted, and with it the words of all normals that follow in the block of
// trials, in 2*10^-16 of all normals. In the tail (one in 3900) it moves the value by 10^-15, which moves the point
// to its neighbour in 5*10^-16 of all normals where sigma is 1, and less where it is less.
__device__ Normal take(const Chunk& chunk, u32 at, Ziggurat ziggurat) {
    const Normal too_long = {0.0, SPARE + 1};
    for (u32 used = 0; used < SPARE;) {
        const u64 bits = word64_of(chunk, at + used++);
        const u32 layer = bits & 0xff;
        const double u = symmetric(bits), x = times(u, ziggurat.edges[layer]);
        if ((x < 0 ? -x : x) < ziggurat.edges[layer + 1]) return {x, used};
        if (layer == 0) {
            // Beyond the edge r of layer 1: Marsaglia's tail.
            const double r = ziggurat.edges[1];
            while (used + 2 <= SPARE) {
                const double beyond = log_of(open_unit(word64_of(chunk, at + used))) / r;
                const double y = log_of(open_unit(word64_of(chunk, at + used + 1)));
                used += 2;
                if (!(times(-2.0, y) < times(beyond, beyond))) {
                    return {u < 0 ? plus(beyond, -r) : plus(r, -beyond), used};
                }
            }
            return too_long;
        }
        if (used == SPARE) return too_long;
        const double low = ziggurat.density[layer + 1], high = ziggurat.density[layer];
        const double height = plus(low, times(plus(high, -low), unit(word64_of(chunk, at + used++))));
        if (height < exp_of(times(-x, x) / 2.0)) return {x, used};
    }
    return too_long;
}

// Phase: the words of a chunk, the first of which lies at a position.
__device__ void begin(u32 thread, const u32* head, u64 at, Chunk& chunk) {
    if (thread == 0) chunk.skipped = at % BLOCK;
    generate(thread, head, at / BLOCK, chunk.words);
}

// Phase: how long the normals are.
__device__ void measure(u32 thread, Ziggurat ziggurat, Chunk& chunk) {
    for (u32 at = thread; at < CHUNK; at += THREADS) chunk.length[at] = (u8)take(chunk, at, ziggurat).length;
}

// Phase: where they take more than one word.
__device__ void gather(u32 thread, Chunk& chunk) {
    if (thread >= MASKS) return;
    u32 odd = 0;
    for (u32 bit = 0; bit < 32; ++bit) odd |= (u32)(chunk.length[32 * thread + bit] != 1) << bit;
    chunk.odd[thread] = odd;
}

// The first odd word from one on; CHUNK where there is none.
__device__ u32 next_odd(const Chunk& chunk, u32 at) {
    for (u32 mask = at / 32; mask < MASKS; ++mask) {
        const u32 above = mask == at / 32 ? at % 32 : 0;
        const u32 bits = chunk.odd[mask] >> above;
        if (bits) return 32 * mask + above + lowest(bits);
    }
    return CHUNK;
}

// How the normals go through a chunk: how many begin in it, and how many words of the next the last of them takes.
// As one number, `begun | beyond << 16`; LOST where one is too long.
constexpr u32 LOST = 0xffffffff;

// Phase: how they go if the first of them begins at word `thread`, for every word at which it may.
__device__ void pass(u32 thread, const Chunk& chunk, u32* passes) {
    if (thread >= SPARE) return;
    u32 at = thread, begun = 0;
    while (at < CHUNK) {
        const u32 odd = next_odd(chunk, at);
        begun += odd - at;
        at = odd;
        if (odd == CHUNK) break;
        if (chunk.length[odd] > SPARE) {
            passes[thread] = LOST;
            return;
        }
        begun += 1;
        at += chunk.length[odd];
    }
    passes[thread] = begun | (at - CHUNK) << 16;
}

// Phases: computes the words of a chunk and measures them.
__device__ void prepare(const u32* head, u32 number, Ziggurat ziggurat, Chunk& chunk) {
    const u64 at = position(head) + (u64)number * (2 * CHUNK);
    PHASE(begin(thread, head, at, chunk));
    PHASE(measure(thread, ziggurat, chunk));
    PHASE(gather(thread, chunk));
}

// First of three: `passes`, [B,chunks,SPARE], of every chunk.
// Grid: B * chunks; chunks = ceil((count + ceil(count / 32) + 256) / 960) suffice: normals take 1.022 words each.
extern "C" __global__ void pass_chunks(
    const u32* heads, const double* edges, const double* density, u32 chunks, u32* passes) {
    __shared__ Chunk chunk;
    const u32 block = blockIdx.x / chunks, number = blockIdx.x % chunks;
    prepare(heads + (u64)block * HEAD, number, {edges, density}, chunk);
    PHASE(pass(thread, chunk, passes + (u64)blockIdx.x * SPARE));
}

// Chunks whose passes are fetched together.
constexpr u32 ROWS = 32;

// Where the normals stand between two chunks: the word of the next chunk at which the next one begins, and its
// number.
struct Stand {
    u32 entry;
    u64 first;
    u32 passes[ROWS * SPARE];
};

// Phase: fetches passes, since one thread alone would wait for each of them in turn.
__device__ void fetch(u32 thread, const u32* passes, u32 rows, Stand& stand) {
    for (u32 i = thread; i < rows * SPARE; i += THREADS) stand.passes[i] = passes[i];
}

// Phase: goes through them.
__device__ void link(u32 thread, u32 rows, u64 count, Stand& stand, u32* entries, u64* firsts, u32* failed) {
    if (thread != 0) return;
    for (u32 row = 0; row < rows; ++row) {
        entries[row] = stand.entry;
        firsts[row] = stand.first;
        if (stand.first >= count) continue;
        const u32 passed = stand.passes[row * SPARE + stand.entry];
        if (passed == LOST) {
            *failed = 1;
            stand.first = count;
            continue;
        }
        stand.first += passed & 0xffff;
        stand.entry = passed >> 16;
    }
}

// Second of three: word and number of the first normal of every chunk, [B,chunks] each. Sets `failed`, which is 0
// before the launch, where a normal is too long or the chunks do not suffice. Grid: B.
extern "C" __global__ void link_chunks(
    const u32* passes, u64 count, u32 chunks, u32* entries, u64* firsts, u32* failed) {
    __shared__ Stand stand;
    const u64 own = (u64)blockIdx.x * chunks;
    PHASE(if (thread == 0) stand.entry = 0, stand.first = 0);
    for (u32 from = 0; from < chunks; from += ROWS) {
        const u32 rows = chunks - from < ROWS ? chunks - from : ROWS;
        PHASE(fetch(thread, passes + (own + from) * SPARE, rows, stand));
        PHASE(link(thread, rows, count, stand, entries + own + from, firsts + own + from, failed));
    }
    PHASE(if (thread == 0 && stand.first < count) *failed = 1);
}

// Phase: one thread marks the words at which normals begin, if the first of them begins at `entry`.
__device__ void mark(u32 thread, u32 entry, Chunk& chunk) {
    if (thread != 0) return;
    for (u32 i = 0; i < MASKS; ++i) chunk.begins[i] = 0xffffffff;
    u32 from = 0, at = entry;
    for (;;) {
        // Within a normal that takes more than one word no other begins.
        for (; from < at && from < CHUNK; ++from) chunk.begins[from / 32] &= ~(1u << from % 32);
        if (at >= CHUNK) return;
        const u32 odd = next_odd(chunk, at);
        if (odd == CHUNK) return;
        from = odd + 1, at = odd + chunk.length[odd];
    }
}

// Phase: how many begin before each word of bits.
__device__ void tally(u32 thread, Chunk& chunk) {
    if (thread >= MASKS) return;
    u32 before = 0;
    for (u32 mask = 0; mask < thread; ++mask) before += ones(chunk.begins[mask]);
    chunk.before[thread] = before;
}

// The point next to `n` standard deviations from the centre, clipped at the ends of the grid; halves go up.
__device__ u32 gaussian_point(double n, double centre, double scale) {
    const double top = times(2.0, centre), anywhere = plus(centre, times(scale, n));
    const double place = anywhere < 0.0 ? 0.0 : anywhere > top ? top : anywhere;
    const u32 whole = (u32)place;
    return whole + (plus(place, -(double)whole) >= 0.5);
}

// What becomes of the normals of a block of trials: points of a grid, or the numbers themselves.
struct OnGrid {
    double centre, scale;
    i16* points;
};
__device__ void put(OnGrid own, u64 number, double normal) {
    own.points[number] = centred(gaussian_point(normal, own.centre, own.scale));
}
__device__ void put(float* own, u64 number, double normal) { own[number] = (float)normal; }

// Phase: puts the normals that begin in a chunk where they go; those from `count` on nowhere.
template <typename Own>
__device__ void write(u32 thread, const Chunk& chunk, Ziggurat ziggurat, u64 first, u64 count, Own own) {
    for (u32 at = thread; at < CHUNK; at += THREADS) {
        const u32 mask = chunk.begins[at / 32], bit = at % 32;
        const u64 number = first + chunk.before[at / 32] + ones(mask & ((1u << bit) - 1));
        if (!(mask >> bit & 1) || number >= count) continue;
        put(own, number, take(chunk, at, ziggurat).value);
    }
}

template <typename Own>
__device__ void write_chunk(
    const u32* heads, Ziggurat ziggurat, u32 chunks, const u32* entries, const u64* firsts, u64 count, Own own) {
    __shared__ Chunk chunk;
    const u64 first = firsts[blockIdx.x];
    if (first >= count) return;
    prepare(heads + (u64)(blockIdx.x / chunks) * HEAD, blockIdx.x % chunks, ziggurat, chunk);
    PHASE(mark(thread, entries[blockIdx.x], chunk));
    PHASE(tally(thread, chunk));
    PHASE(write(thread, chunk, ziggurat, first, count, own));
}

// Third of three: Gaussian points, [B,count]; `centre` is the grid's point of 0.5, `scale` its points a standard
// deviation. Grid: B * chunks.
extern "C" __global__ void draw_gaussian(
    const u32* heads, const double* edges, const double* density, u32 chunks, const u32* entries, const u64* firsts,
    double centre, double scale, u64 count, i16* points) {
    const OnGrid own = {centre, scale, points + blockIdx.x / chunks * count};
    write_chunk(heads, {edges, density}, chunks, entries, firsts, count, own);
}

// The same of the normals themselves, rounded to floats, [B,count]. Grid: B * chunks.
extern "C" __global__ void draw_normals(
    const u32* heads, const double* edges, const double* density, u32 chunks, const u32* entries, const u64* firsts,
    u64 count, float* normals) {
    write_chunk(heads, {edges, density}, chunks, entries, firsts, count, normals + blockIdx.x / chunks * count);
}

// ---- Stimuli

// Numbers of an image that a thread shows.
constexpr u32 SHOWN = 4;

// Phase: a slice of one stimulus.
__device__ void show_slice(
    u32 thread, u32 slice, const u32* head, const i16* points, const i32* cells, const u8* image, u32 numbers,
    float step, float offset, float* stimulus) {
    const float noise_share = float_of(head[10]), image_share = float_of(head[11]);
    for (u32 i = 0; i < SHOWN; ++i) {
        const u64 at = (u64)slice * (SHOWN * THREADS) + i * THREADS + thread;
        if (at >= numbers) break;
        const float point = (float)(points[cells ? (u64)cells[at] : at] + 32768);
        float value = plus(times(point, step), offset);
        // Without an image nothing is multiplied: the value is as it is.
        if (image_share != 0.0f) value = plus(times(noise_share, value), times(image_share, (float)image[at]));
        stimulus[at] = value;
    }
}

// Stimuli, [B*T,P], of points, [B*T,p]. `cells`, [P]: the point that each number shows, null where it is its own.
// `bytes`, [images,P], and `image`, [B*T], its index there, may be null where no image share of a block is other
// than 0. Grid: B * T * slices, slices = ceil(P / 512).
extern "C" __global__ void show(
    const i16* points, const u32* heads, const i32* cells, const u8* bytes, const i32* image, u32 trials, u32 width,
    u32 numbers, u32 slices, float step, float offset, float* stimuli) {
    const u32 trial = blockIdx.x / slices, slice = blockIdx.x % slices;
    const u8* own = image ? bytes + (u64)image[trial] * numbers : nullptr;
    PHASE(show_slice(thread, slice, heads + (u64)(trial / trials) * HEAD, points + (u64)trial * width, cells, own,
        numbers, step, offset, stimuli + (u64)trial * numbers));
}
