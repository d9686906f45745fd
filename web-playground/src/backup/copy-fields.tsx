import { PasswordInput, type PasswordInputProps, TextInput, type TextInputProps } from '@mantine/core';

/** The name of an instance that gets the data of another one. */
export function NameOfCopy(props: TextInputProps) {
  return <TextInput mt="md" label="Name of the new instance" autoComplete="off" spellCheck={false} required data-autofocus {...props} />;
}

/** The password of its owner, because that of the other instance does not work in it. */
export function PasswordOfCopy(props: PasswordInputProps) {
  return <PasswordInput mt="md" label="Password" description="Leave blank to generate" autoComplete="new-password" {...props} />;
}

export function nameOfCopy(name: string) {
  return name ? null : 'Choose a name for the new instance.';
}
