"""The programs of the graphics card that draw a picture: looked up, mixed with the next, graded for its projector."""

from __future__ import annotations

VERTEX_SHADER = """
#version 330
in vec3 spot;  // clip space with its w, by which all else is interpolated as on a flat wall
in vec2 where;  // in this projector's picture, 0..1 from the top left
in vec2 from;  // in the picture that is looked up, likewise
out vec2 place;
out vec2 at;
void main() {
    place = where;
    at = from;
    gl_Position = vec4(spot.xy, 0.0, spot.z);
}
"""

# What a draw does not need is compiled out: software renderers compute both sides of a branch.
_FRAGMENT_SHADER = """
#version 330
uniform sampler2D now;
uniform sampler2D next;
uniform float blend;
uniform sampler2D flow;  // how far what is seen half way moves, in shares of the world's picture
uniform vec4 seen;  // the part of the world's picture that is looked up: its corner, its size
uniform vec4 soft;  // widths of the soft edges: left, right, top, bottom
uniform float gamma;
uniform vec3 gain;  // of values, not of light
uniform float black;
uniform vec2 marker;
in vec2 place;
in vec2 at;
out vec4 colour;

#if EXACT
vec3 look_up(sampler2D picture, vec2 from) {
    return texelFetch(picture, ivec2(from * vec2(textureSize(picture, 0))), 0).rgb;
}
#else
vec3 look_up(sampler2D picture, vec2 from) {
    return texture(picture, from).rgb;
}
#endif

#if SOFT
// Smoothstep and its mirror image add up to one, so two overlapping edges add up to constant light.
float ramp(float inwards, float width) {
    return width <= 0.0 ? 1.0 : smoothstep(0.0, width, inwards);
}
#endif

void main() {
#if MOVED
    // What is here now was farther back in the one picture, and will be farther on in the other.
    vec2 motion = texture(flow, seen.xy + at * seen.zw).rg / seen.zw;
    vec3 shown = mix(look_up(now, at - blend * motion), look_up(next, at + (1.0 - blend) * motion), blend);
#elif BLENDED
    vec3 shown = mix(look_up(now, at), look_up(next, at), blend);
#else
    vec3 shown = look_up(now, at);
#endif
#if GRADED
    shown *= gain;
#endif
#if SOFT
    vec4 inwards = vec4(place.x, 1.0 - place.x, place.y, 1.0 - place.y);
    float light = ramp(inwards.x, soft.x) * ramp(inwards.y, soft.y) * ramp(inwards.z, soft.z) * ramp(inwards.w, soft.w);
    shown *= pow(light, 1.0 / gamma);
#endif
#if LIFTED
    // Two projectors' blacks lie on each other in an overlap, four where two overlaps cross; elsewhere what is missing
    // to as many is added.
    vec4 fades = vec4(greaterThan(soft, vec4(0.0)));
    vec4 within = vec4(lessThan(inwards, soft));
    float most = (1.0 + max(fades.x, fades.y)) * (1.0 + max(fades.z, fades.w));
    float here = (1.0 + max(within.x, within.y)) * (1.0 + max(within.z, within.w));
    float lift = black * (most - here) / here;
    shown = pow(lift + (1.0 - lift) * pow(shown, vec3(gamma)), vec3(1.0 / gamma));
#endif
#if MARKED
    float away = length((place - marker) / max(fwidth(place), vec2(1e-6)));
    if (abs(away - 14.0) < 2.5) shown = vec3(1.0, 0.3, 0.0);
#endif
    colour = vec4(shown, 1.0);
}
"""

FLAGS = ("EXACT", "BLENDED", "MOVED", "GRADED", "SOFT", "LIFTED", "MARKED")


def fragment_shader(flags: frozenset[str]) -> str:
    """The program that does what `flags`, of FLAGS, say and nothing else. LIFTED needs SOFT."""
    defined = "".join(f"#define {flag} {int(flag in flags)}\n" for flag in FLAGS)
    return _FRAGMENT_SHADER.replace("#version 330\n", f"#version 330\n{defined}")
