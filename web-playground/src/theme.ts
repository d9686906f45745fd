import { Alert, Button, type CSSVariablesResolver, createTheme, Fieldset, Input, Menu, Modal, Table } from '@mantine/core';

export const theme = createTheme({
  primaryColor: 'elephant',
  // White text has a contrast of at least 4.5:1 on each.
  primaryShade: { light: 8, dark: 7 },
  colors: {
    elephant: ['#eef4f9', '#dce7f0', '#b5cde0', '#8bb1d0', '#699bc2', '#538cba', '#4684b6', '#39719e', '#336791', '#24577f'],
    // Bluish greys instead of the neutral ones of Mantine.
    dark: ['#d3d9e1', '#b6bfca', '#98a2af', '#7b8796', '#465163', '#303846', '#232b38', '#1b212b', '#151a22', '#10141a'],
  },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Alert: Alert.extend({ defaultProps: { bg: 'var(--panel)' } }),
    Button: Button.extend({ defaultProps: { fw: 500 } }),
    Fieldset: Fieldset.extend({ styles: { legend: { padding: 0, fontSize: 14, fontWeight: 'var(--mantine-font-weight-medium)' }, root: { padding: 0, marginInline: 0 } } }),
    // `Type "name" to confirm`, with the longest name.
    InputWrapper: Input.Wrapper.extend({ styles: { label: { overflowWrap: 'anywhere' } } }),
    // Its first item has the focus, and it is within the landmark of the page.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false, portalProps: { target: '#main' } } }),
    Modal: Modal.extend({
      // Its header is an element `header`, which would be a second banner of the page.
      defaultProps: { closeButtonProps: { 'aria-label': 'Close' }, attributes: { header: { role: 'presentation' } } },
      styles: { title: { fontSize: 18, fontWeight: 600 } },
    }),
    Table: Table.extend({ styles: { th: { fontSize: 13, fontWeight: 600, color: 'var(--quiet)' } } }),
  },
});

/** Greys and reds with a contrast of at least 4.5:1 in both colour schemes. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#59636e',
    '--mantine-color-placeholder': '#68727d',
    '--mantine-color-error': '#b3261e',
    '--mantine-color-gray-outline': '#59636e',
    '--mantine-color-red-outline': '#b3261e',
    '--mantine-color-yellow-outline': '#8a5200',
    '--mantine-color-red-filled': '#b3261e',
    '--mantine-color-red-filled-hover': '#98201a',
  },
  dark: {
    '--mantine-color-body': '#1b212b',
    '--mantine-color-dimmed': '#a3adba',
    '--mantine-color-placeholder': '#98a2af',
    '--mantine-color-error': '#ff9b90',
    '--mantine-color-gray-outline': '#a3adba',
    '--mantine-color-red-outline': '#ff9b90',
    '--mantine-color-yellow-outline': '#f0b760',
    '--mantine-color-red-filled': '#b3261e',
    '--mantine-color-red-filled-hover': '#98201a',
  },
});
